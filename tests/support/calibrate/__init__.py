"""The real `bench calibrate` with a load whose watts are known, beside a stand-in card."""
