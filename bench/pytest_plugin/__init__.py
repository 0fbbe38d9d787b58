"""Joules beside seconds: the fixture `energy_benchmark` for pytest, upon pytest-benchmark's public interface.

    @pytest.mark.energy(budget_j=250, per="page")
    def test_a_page(energy_benchmark):
        energy_benchmark(write_pages, units=4)

    pytest --energy-save=base                                   # .energy/<machine>/0001_base.json
    pytest --energy-compare --energy-fail=median:5%             # exit status 1 where a test became worse

pytest loads `joulebench_pytest`, which imports this package when a test asks for energy. `marker` reads the
marker, `measuring` puts a window of `bench.Meter` around each round, `figures` computes a test's figures,
`storage` saves a session, `judging` compares it with a saved one, `terminal` shows it.
"""
