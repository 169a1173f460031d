/**
 * What only attacks put into a checkpoint, by module and the names in it: a loader that called it
 * would run a program, code or a request. Nothing here is ever called; a file that names it is hostile, and its other
 * content is not to be trusted either.
 */
const RUN = ['eval', 'exec', 'execfile', 'compile', 'open', '__import__', 'apply', 'input', 'breakpoint'];
const UNPICKLE = ['load', 'loads', 'Unpickler'];
const REACH = ['attrgetter', 'itemgetter', 'methodcaller'];
const PARTS: Record<string, readonly string[]> = {
  __builtin__: RUN,
  builtins: RUN,
  _pickle: UNPICKLE,
  pickle: UNPICKLE,
  dill: UNPICKLE,
  joblib: UNPICKLE,
  operator: REACH,
  _operator: REACH,
  types: ['CodeType', 'FunctionType', 'LambdaType'],
  'torch.utils._config_module': ['load_config'],
  'torch.utils.collect_env': ['run'],
  'torch.jit.unsupported_tensor_ops': ['execWrapper'],
  'numpy.testing._private.utils': ['runstring'],
};

/** Modules none of whose names belongs into a checkpoint. */
const WHOLE = new Set(
  (
    'os nt posix commands subprocess pty sys runpy code codeop bdb pdb doctest cProfile profile timeit trace imp ' +
    'importlib importlib.machinery pkgutil pydoc pip pip._internal venv ensurepip socket ssl ' +
    'ftplib smtplib telnetlib ' +
    'http.client httplib urllib.request urllib2 requests requests.api aiohttp aiohttp.client webbrowser shutil ' +
    'tempfile zipimport marshal shelve ctypes _ctypes asyncio asyncio.unix_events multiprocessing torch.hub ' +
    'torch.distributed.rpc'
  ).split(' '),
);

const names = (module: string, name: string): boolean =>
  WHOLE.has(module) || (Object.hasOwn(PARTS, module) && PARTS[module].includes(name));

/**
 * Whether a global is one of an attack's. Loaders walk the dots of a name, so that `system` of `os` is reached as
 * `serialization.os.system` of `torch` too: beyond the module each part of the name is looked up as a module.
 */
export function isHostile(module: string, name: string): boolean {
  const parts = name.split('.', 16);
  return names(module, parts[0]) || parts.some((part, i) => names(part, parts[i + 1] ?? ''));
}
