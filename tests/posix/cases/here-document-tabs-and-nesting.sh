cat <<-E
	indented
		twice
	E
cat <<A; cat <<B
first
A
second
B
