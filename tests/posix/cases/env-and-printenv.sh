env -i A=1 B=2 env; A=x printenv A; printenv NOPE; echo $?; env -u HOME printenv HOME; echo $?; env -C / pwd; env nosuchprogram; echo $?
