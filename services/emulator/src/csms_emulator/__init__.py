"""Charging stations that are not there"""
