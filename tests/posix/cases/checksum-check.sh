printf 'abc' >f; printf 'def' >g; sha256sum f g >sums; sha256sum -c sums; echo x >>g; sha256sum -c sums; echo $?
