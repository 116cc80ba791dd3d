systemd_runs() {
  [ -d /run/systemd/system ]
}

# Restarts a daemon that runs, or that waits for the others. Nobody waits for it: that may take long.
restart_if_running() { # NAME
  case $(systemctl is-active "datawire-$1.service") in
    active | activating | reloading) systemctl --no-block restart "datawire-$1.service" ;;
  esac
}
