"""Checking a model: build, judge, explore, replay, and the verdict; many models; findings."""
