printf '%d %i %5d|%-5d|%05d\n' 1 2 3 4 5; printf '%x %X %o %#x\n' 255 255 8 255; printf '%.2f %e %g\n' 3.14159 1234.5 0.0001
