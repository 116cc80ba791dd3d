configured() {
  link_program @PROGRAM@
}

removing() {
  unlink_program @PROGRAM@
}

removed() { :; }

purged() { :; }
