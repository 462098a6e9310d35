"""Robots: accounts for programs, with permissions of their own."""
