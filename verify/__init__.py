"""Does the deployed stack do what the proof said it would? The same questions, asked of the live back ends."""
