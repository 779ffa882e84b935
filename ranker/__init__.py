"""Learning to rank, whole: raw queries and documents in, a served blend of rankers out."""
