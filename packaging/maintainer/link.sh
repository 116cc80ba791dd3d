# A program stands in /usr/bin unless another package has a program of that name; `dw NAME` starts a daemon as well.
link_program() { # NAME
  if [ ! -e "/usr/bin/$1" ] && [ ! -L "/usr/bin/$1" ]; then
    ln -s "../lib/datawire/bin/$1" "/usr/bin/$1"
  elif ! is_ours "$1"; then
    echo "/usr/bin/$1 is another program and stays: this one is /usr/lib/datawire/bin/$1" >&2
  fi
}

unlink_program() { # NAME
  if is_ours "$1"; then rm "/usr/bin/$1"; fi
}

is_ours() { # NAME
  [ "$(readlink "/usr/bin/$1")" = "../lib/datawire/bin/$1" ]
}
