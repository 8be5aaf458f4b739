"""What several tests share: a small course, a classroom, and what tests read of them."""
