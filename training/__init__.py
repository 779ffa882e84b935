"""From a dataset to a bundle: input pipeline, networks, LambdaMART, blend, export."""
