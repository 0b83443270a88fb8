"""``callcenter simulate chaos``: the real services in virtual time, with everything that can go wrong.

``seed`` lives through one seed; ``center`` puts the services together, ``nemesis`` breaks things as often as ``odds`` says,
``people`` call and answer, ``judge`` says whether it was right (with ``sim.checker``), ``trace`` is what can be compared.
"""
