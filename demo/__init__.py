"""Two small worlds, Chinese and English: four systems each, with the truth about who is who."""
