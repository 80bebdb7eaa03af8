"""Decides what charging stations are answered"""
