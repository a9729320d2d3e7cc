mkdir -p d/e f; touch d/1 d/e/2 f/3; echo */*; echo d/*/*; cd d; echo ../f/*; echo /etc/pass*
