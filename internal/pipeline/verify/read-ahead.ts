// Objects of a store in their order, while the next ones are on their way: most files are small, and each takes a round trip.

const MOST_OPEN = 16
const MOST_BYTES = 64 << 20

/** What `load` gives of each item, in order. No more than MOST_BYTES of them are held, or one. */
export async function* readAhead<Item extends { readonly bytes: number }, Loaded>(
  items: readonly Item[],
  load: (item: Item) => Promise<Loaded>,
): AsyncGenerator<{ readonly item: Item; readonly loaded: Loaded }> {
  const open: { readonly item: Item; readonly loading: Promise<Loaded> }[] = []
  let bytes = 0
  let next = 0
  while (next < items.length || open.length > 0) {
    for (; next < items.length && open.length < MOST_OPEN; next++) {
      const item = items[next]!
      if (open.length > 0 && bytes + item.bytes > MOST_BYTES) break
      const loading = load(item)
      loading.catch(() => undefined) // told when its turn comes
      open.push({ item, loading })
      bytes += item.bytes
    }
    const { item, loading } = open.shift()!
    yield { item, loaded: await loading }
    bytes -= item.bytes
  }
}
