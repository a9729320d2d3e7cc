numfmt --to=iec 1024 1048576 1500; numfmt --from=si 1K 2M; numfmt --to=si --suffix=B 2500; numfmt --field 2 --to=iec 'a 2048'
