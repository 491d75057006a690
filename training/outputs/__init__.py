"""Making `models/outputs.bin`: what the detector of injections in outputs has learnt."""
