# One state that does nothing: what a state.apply costs before it has anything to do.
hadb bench does nothing:
  test.nop: []
