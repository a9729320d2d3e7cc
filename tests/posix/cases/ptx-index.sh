printf 'hello world\n' | ptx
