"""The online scorer: TensorFlow Serving's gRPC Predict, and a REST route that ranks requests as people write them."""
