"""Settings: YAML files, presets and ``KEY=VALUE`` overrides in, checked and frozen values out.

- ``presets``: the configurations that are shipped; imports nothing heavy
- ``schema``: the settings of a training; its sections, their bounds and defaults are in
  ``data_schema``, ``feature_schema``, ``preprocessing_schema``, ``model_schema``,
  ``optimizer_schema`` and ``training_schema``, what these are made of in ``settings``
- ``loading``: ``load_train_config`` and ``with_values``
- ``sweep_schema``, ``sweep_loading``: the same for a sweep; ``load_sweep_config``
- ``writing``: ``to_yaml`` and ``config_digest``
- ``json_schema``: for editors
- ``yaml_reader``, ``overrides``, ``validation``, ``problems``: what these are made of

Nothing is imported here, so that listing the presets does not wait for pydantic.
"""
