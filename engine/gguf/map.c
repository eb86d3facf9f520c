#include "gguf/map.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "facet.h"

struct FacetMap {
  guint8     *data;
  gsize       size;
  int         file;
  struct stat opened;
  gint        torn; /* a page was missing */
  FacetMap   *next;
};

/* All maps. The lock spins, as nothing else may be waited for in a handler. */
static FacetMap *maps;
static gint maps_locked;

static struct sigaction previous;
static gsize page;

static void
lock_maps (void)
{
  while (!g_atomic_int_compare_and_exchange (&maps_locked, 0, 1))
    sched_yield ();
}

static void
unlock_maps (void)
{
  g_atomic_int_set (&maps_locked, 0);
}

/* ---- in the handler: only what is safe there ---- */

/* Many small holes would use up the process's regions, and where one page is
 * missing those behind it usually are, too. */
static gboolean
fill_from (guint8 *address)
{
  gboolean filled = FALSE;

  lock_maps ();
  for (FacetMap *map = maps; map != NULL; map = map->next)
    if (address >= map->data && address < map->data + map->size) {
      guint8 *start = address - (guintptr) address % page;
      gsize length = (gsize) (map->data + map->size - start);

      g_atomic_int_set (&map->torn, TRUE);
      /* By its number: to mmap() itself, sanitizers attach what is not safe here. */
      filled = syscall (SYS_mmap, start, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == (long) start;
      break;
    }
  unlock_maps ();
  return filled;
}

static void
pass_on (int number, siginfo_t *info, void *context)
{
  gboolean was_sent = info->si_code <= 0;

  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction (number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler (number);
  } else if (previous.sa_handler == SIG_DFL || !was_sent) {
    /* A fault comes again by itself on return. */
    signal (number, SIG_DFL);
    if (was_sent)
      raise (number);
  }
}

static void
on_bus_error (int number, siginfo_t *info, void *context)
{
  int saved = errno;

  if (info->si_code != BUS_ADRERR || !fill_from (info->si_addr))
    pass_on (number, info, context);
  errno = saved;
}

static void
watch_bus_errors (void)
{
  static gsize once;
  struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK };

  if (!g_once_init_enter (&once))
    return;
  page = (gsize) sysconf (_SC_PAGESIZE);
  sigaction (SIGBUS, &action, &previous);
  g_once_init_leave (&once, 1);
}

/* ---- maps ---- */

static gboolean
fail (GError **error, const char *path, const char *why)
{
  g_autofree char *shown = g_filename_display_name (path);

  g_set_error (error, FACET_ERROR, FACET_ERROR_IO, "%s: %s", shown, why);
  return FALSE;
}

static gboolean
fill_map (FacetMap *map, const char *path, GError **error)
{
  if (fstat (map->file, &map->opened) != 0)
    return fail (error, path, g_strerror (errno));
  if (!S_ISREG (map->opened.st_mode))
    return fail (error, path, "not a regular file");
  if (map->opened.st_size == 0)
    return TRUE;
  map->data = mmap (NULL, (gsize) map->opened.st_size, PROT_READ, MAP_PRIVATE, map->file, 0);
  if (map->data == MAP_FAILED) {
    map->data = NULL;
    return fail (error, path, g_strerror (errno));
  }
  map->size = (gsize) map->opened.st_size;
  return TRUE;
}

static void
watch (FacetMap *map)
{
  watch_bus_errors ();
  lock_maps ();
  map->next = maps;
  maps = map;
  unlock_maps ();
}

FacetMap *
facet_map_open (const char *path, GError **error)
{
  g_autoptr (FacetMap) map = NULL;
  /* Opening a pipe would wait for its other end. */
  int file = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (file < 0) {
    fail (error, path, errno == ENOENT ? "no such file" : g_strerror (errno));
    return NULL;
  }
  map = g_new0 (FacetMap, 1);
  map->file = file;
  if (!fill_map (map, path, error))
    return NULL;
  watch (map);
  return g_steal_pointer (&map);
}

static void
forget (FacetMap *map)
{
  lock_maps ();
  for (FacetMap **at = &maps; *at != NULL; at = &(*at)->next)
    if (*at == map) {
      *at = map->next;
      break;
    }
  unlock_maps ();
}

void
facet_map_close (FacetMap *map)
{
  if (map == NULL)
    return;
  forget (map);
  if (map->data != NULL)
    munmap (map->data, map->size);
  close (map->file);
  g_free (map);
}

const void *
facet_map_data (FacetMap *map)
{
  return map->data;
}

gsize
facet_map_size (FacetMap *map)
{
  return map->size;
}

gboolean
facet_map_is_intact (FacetMap *map)
{
  const struct stat *opened = &map->opened;
  struct stat now;

  if (fstat (map->file, &now) != 0 || now.st_size != opened->st_size || now.st_mtim.tv_sec != opened->st_mtim.tv_sec
      || now.st_mtim.tv_nsec != opened->st_mtim.tv_nsec)
    g_atomic_int_set (&map->torn, TRUE);
  return !g_atomic_int_get (&map->torn);
}
