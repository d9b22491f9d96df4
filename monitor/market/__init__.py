"""What sellers say, over time: pages taken in and judged, claims and products, their lives and reviews."""
