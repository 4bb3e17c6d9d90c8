/** What inside must not be asked of the proxy: servers of the machine's own. */
const OWN = 'localhost,127.0.0.1,::1,0.0.0.0,.localhost';

/**
 * The environment that leads programs to the proxy at a port of the machine's loopback. All by HTTP, SOCKS5 being there
 * for who asks: several libraries can't even start with a SOCKS address in `all_proxy`.
 */
export function proxyEnvironment(port: number): Record<string, string> {
  const proxy = `http://127.0.0.1:${port}`;
  const env: Record<string, string> = {
    npm_config_proxy: proxy,
    npm_config_https_proxy: proxy,
    npm_config_noproxy: OWN,
    YARN_HTTP_PROXY: proxy,
    YARN_HTTPS_PROXY: proxy,
    // Node's own fetch and http look at the names above only when told to.
    NODE_USE_ENV_PROXY: '1',
  };
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy']) {
    env[name] = proxy;
    env[name.toUpperCase()] = proxy;
  }
  env['no_proxy'] = OWN;
  env['NO_PROXY'] = OWN;
  const java = ['http', 'https'].flatMap((scheme) => [`-D${scheme}.proxyHost=127.0.0.1`, `-D${scheme}.proxyPort=${port}`]).join(' ');
  env['MAVEN_OPTS'] = java;
  env['GRADLE_OPTS'] = java;
  return env;
}
