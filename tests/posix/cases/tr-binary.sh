printf '\000\001\002\377' | tr '\000\377' 'AZ' | od -An -tx1
