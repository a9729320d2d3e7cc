trap 'echo x' INT; trap 'echo y' EXIT; trap | sort; trap - EXIT INT; trap
