configured() { # the version before; empty on a first installation
  # With a new Node, what runs on the old one is restarted; a new daemon sees to itself.
  if [ -n "$1" ] && [ "$1" != @VERSION@ ] && systemd_runs; then
    for program in directory watson sherlock router agent; do restart_if_running "$program"; done
  fi
}

removing() { :; }

removed() { :; }

purged() { :; }
