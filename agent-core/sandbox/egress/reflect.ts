type Key = string | symbol | undefined;
type Notes = Map<Key, Map<unknown, unknown>>;

const notes = new WeakMap<object, Notes>();

function own(name: unknown, target: object, member?: Key): unknown {
  return notes.get(target)?.get(member)?.get(name);
}

function define(name: unknown, value: unknown, target: object, member?: Key): void {
  const all: Notes = notes.get(target) ?? new Map();
  notes.set(target, all);
  all.set(member, (all.get(member) ?? new Map<unknown, unknown>()).set(name, value));
}

function inherited(name: unknown, target: object, member?: Key): unknown {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const found = own(name, at, member);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The four functions of the metadata proposal that the library for certificates needs of its surroundings; it does not load
 * without them. Nothing else here uses them.
 */
export function provideMetadata(): void {
  if ('getMetadata' in Reflect) return;
  const metadata = (name: unknown, value: unknown) => (target: object, member?: Key) => define(name, value, target, member);
  Object.assign(Reflect, { getMetadata: inherited, getOwnMetadata: own, defineMetadata: define, metadata });
}
