"""Parts of addresses: divisions of China, Chinese, romanized and western lines."""
