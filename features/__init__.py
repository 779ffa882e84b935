"""Features: one TensorFlow Transform function over lists, and the Beam job that analyses and applies it."""
