"""The real `bench run` with work whose watts are known, beside a stand-in card."""
