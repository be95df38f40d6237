// What becomes of a column's values on their way into the lake.

/** `excluded`: they are nowhere in the lake. `hashed`: a keyed hash of its text form takes the place of each. */
export type ColumnRule = 'clear' | 'excluded' | 'hashed'
