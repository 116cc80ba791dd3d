# The agent has no user, no settings and no state of its own: they are those of Watson and Sherlock, which it needs.
unit=datawire-agent.service

configured() { # the version before; empty on a first installation
  if systemd_runs; then
    systemctl daemon-reload
    if [ -n "$1" ]; then restart_if_running agent; fi
  fi
}

removing() {
  if systemd_runs; then
    systemctl --quiet disable --now "$unit" || true
    # What it has left serving, when it was stopped for an upgrade.
    systemctl kill --kill-who=all "$unit" 2>/dev/null || true
  fi
}

removed() {
  if systemd_runs; then systemctl daemon-reload; fi
}

purged() {
  if systemd_runs; then systemctl --quiet reset-failed "$unit" 2>/dev/null || true; fi
}
