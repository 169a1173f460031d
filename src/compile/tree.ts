import { ConfigError } from '../core/errors.js';
import { isPlain } from '../tensor/tidy.js';

/** Leaves in any nesting of lists and plain objects. A property that is undefined is as good as left out. */
export type Tree<T> = T | readonly Tree<T>[] | { readonly [name: string]: Tree<T> | undefined };

interface Node {
  readonly list: boolean;
  /** Sorted, so that the order in which an object was written says nothing. */
  readonly names: readonly string[];
  readonly children: readonly Structure[];
}

/** The nesting of a tree without its leaves; a leaf alone has none. */
export type Structure = Node | undefined;

/** Deeper trees are taken for objects that hold themselves. */
const DEEPEST = 64;

/** Lists and plain objects are nodes, but a list of numbers alone is a leaf: a vector. */
const isNode = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' &&
  v !== null &&
  isPlain(v) &&
  !(Array.isArray(v) && v.length > 0 && v.every((x) => typeof x === 'number'));

/** The structure of a tree. @throws ConfigError for one nested too deep, such as an object that holds itself. */
export function structureOf(tree: unknown, depth = 0): Structure {
  if (!isNode(tree)) return undefined;
  if (depth === DEEPEST)
    throw new ConfigError(
      `tree: it must be nested at most ${DEEPEST} deep; got more, or an object that holds itself. Flatten it.`,
    );
  const list = Array.isArray(tree);
  const names = Object.keys(list ? Array.from(tree) : tree).filter((name) => list || tree[name] !== undefined);
  if (!list) names.sort();
  return { list, names, children: names.map((name) => structureOf(tree[name], depth + 1)) };
}

/** The leaves of a tree in the order of a structure; nothing if it has another. */
export function flatten(tree: unknown, structure: Structure, leaves: unknown[] = []): unknown[] | undefined {
  if (isNode(tree) !== (structure !== undefined)) return undefined;
  if (!structure) {
    leaves.push(tree);
    return leaves;
  }
  const { list, names, children } = structure;
  const node = tree as Record<string, unknown>;
  if (list !== Array.isArray(node) || sizeOf(node) !== names.length) return undefined;
  for (let i = 0; i < names.length; i++)
    if ((!list && node[names[i]] === undefined) || !flatten(node[names[i]], children[i], leaves)) return undefined;
  return leaves;
}

function sizeOf(node: Record<string, unknown>): number {
  if (Array.isArray(node)) return node.length;
  let size = 0;
  for (const name of Object.keys(node)) if (node[name] !== undefined) size++;
  return size;
}

/** The tree of a structure whose leaves, in the order of `flatten`, are what `next` gives. */
export function unflatten(structure: Structure, next: () => unknown): unknown {
  if (!structure) return next();
  const values = structure.children.map((child) => unflatten(child, next));
  return structure.list ? values : Object.fromEntries(structure.names.map((name, i) => [name, values[i]]));
}

/** Where each leaf lies, as JavaScript would write it: `inputs.parts[0].table`. */
export function pathsOf(structure: Structure, root: string): string[] {
  if (!structure) return [root];
  return structure.children.flatMap((child, i) => pathsOf(child, pathTo(root, structure, i)));
}

const pathTo = (root: string, { list, names }: Node, i: number): string => {
  if (list) return `${root}[${names[i]}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(names[i]) ? `${root}.${names[i]}` : `${root}[${JSON.stringify(names[i])}]`;
};

/** In words, where a structure first differs from another; nothing where it does not. */
export function difference(got: Structure, wanted: Structure, path: string): string | undefined {
  if (!got || !wanted) return got === wanted ? undefined : `${kind(got)} at ${path} in place of ${kind(wanted)}`;
  if (got.list !== wanted.list) return `${kind(got)} at ${path} in place of ${kind(wanted)}`;
  const missing = wanted.names.findIndex((name) => !got.names.includes(name));
  if (missing >= 0) return `nothing at ${pathTo(path, wanted, missing)}`;
  const added = got.names.findIndex((name) => !wanted.names.includes(name));
  if (added >= 0) return `${pathTo(path, got, added)} besides`;
  for (let i = 0; i < got.names.length; i++) {
    const within = difference(got.children[i], wanted.children[i], pathTo(path, got, i));
    if (within !== undefined) return within;
  }
  return undefined;
}

const kind = (s: Structure): string => (!s ? 'a leaf' : s.list ? 'a list' : 'an object');
