printf 'abab\nabba\n' | grep '\(ab\)\1'; printf 'xx\nxy\n' | grep -E '(.)\1'
