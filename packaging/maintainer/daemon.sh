program=@PROGRAM@
user=datawire-$program
unit=datawire-$program.service

configured() { # the version before; empty on a first installation
  if ! getent passwd "$user" >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
  fi
  link_program "$program"
  if systemd_runs; then
    systemctl daemon-reload
    # Folders that somebody made by hand get the modes that the daemon's user needs.
    systemd-tmpfiles --create "datawire-$program.conf" || true
    if [ -n "$1" ]; then restart_if_running "$program"; fi
  fi
}

removing() {
  if systemd_runs; then
    systemctl --quiet disable --now "$unit" || true
    # What a Sherlock that was stopped for an upgrade has left serving.
    systemctl kill --kill-who=all "$unit" 2>/dev/null || true
  fi
  unlink_program "$program"
}

removed() {
  if systemd_runs; then systemctl daemon-reload; fi
}

# Takes away what the daemon has written, and the folders that it shared with others when it was the last.
purged() {
  rm -rf "/var/lib/datawire/$program" "/run/datawire/$program"
  rmdir /var/lib/datawire /run/datawire 2>/dev/null || true
  if systemd_runs; then systemctl --quiet reset-failed "$unit" 2>/dev/null || true; fi
  if getent passwd "$user" >/dev/null; then userdel "$user"; fi
}
