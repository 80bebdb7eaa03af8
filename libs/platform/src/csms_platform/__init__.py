"""What every service stands on: ports, their adapters, and the runtime.

Services import `ports`, `envelope`, `settings`, `logging` and `metrics` only; adapters are chosen by `runtime`.
"""
