"""The leaderboard: records with recomputed scores, ranked, as tables and as a static site."""
