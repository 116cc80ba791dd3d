#!/bin/sh
# These two are meant for the Node of other programs.
unset NODE_OPTIONS NODE_PATH
exec /usr/lib/datawire/node /usr/lib/datawire/@PROGRAM@/main.js "$@"
