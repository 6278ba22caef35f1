"""Probes: does each server answer from here, as its proxy would ask it? The only part that talks to the network."""
