"""Measurements of this machine; run as modules: `python -m benchmarks`, `python -m benchmarks.startup`, …"""
