import { readFileSync } from 'node:fs';

/** Methods of tensors are documented as the operations that they are; of constant arrows the text is found. */
const found = 'exp gelu greater log logSoftmax max neg relu sigmoid softmax sqrt sum tanh'.split(' ');
const [, table] = /export const methods = \{([^]*?)\n\};/.exec(readFileSync('src/ops/methods.ts', 'utf8'));
const methods = table.replace(/\/\*\*.*\*\//g, '').matchAll(/^ {2}(\w+),$/gm);

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'dawngrad',
  entryPoints: ['src/index.ts', 'src/engine.ts', 'src/node.ts', 'src/reference/index.ts'],
  out: 'docs/api',
  readme: 'README.md',
  githubPages: false,
  hideGenerator: true,
  excludePrivate: true,
  disableGit: true,
  sourceLinkTemplate: 'src/{path}#L{line}',
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  validation: {
    notDocumented: true,
    notExported: false,
    invalidLink: true,
  },
  requiredToBeDocumented: ['Class', 'Function', 'Interface', 'TypeAlias', 'Variable', 'Enum'],
  intentionallyNotDocumented: [...methods].flatMap(([, name]) =>
    found.includes(name) ? [] : [`index.Tensor.${name}`],
  ),
};
