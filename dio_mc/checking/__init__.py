"""Checking a model: build, explore, replay, and the verdict; many models; findings."""
