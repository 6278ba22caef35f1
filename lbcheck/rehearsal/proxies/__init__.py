"""The proxies that are rehearsed: what each of them needs, says and does (`seam.Adapter`), one package for each."""
