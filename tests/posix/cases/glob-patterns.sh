touch a1 a2 b1 .h 'x y' '[z]'; echo *; echo a?; echo [ab]1; echo [!a]*; echo '*'; echo .h*; echo none*; echo */
