# Nothing: what a state.apply costs before it has anything to do.
{}
