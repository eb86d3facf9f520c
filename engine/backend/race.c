#include "backend/race.h"

#include <math.h>

#define MAX_RACES 64

static const char *const phase_names[] = { "decode", "prefill", "encode" };

gboolean
facet_race_is_open (FacetBackend *device)
{
  FacetDeviceFacts facts = { NULL };

  if (device->klass->facts != NULL)
    device->klass->facts (device, &facts);
  return facts.shares_memory;
}

static char *
race_path (void)
{
  return g_build_filename (g_get_user_cache_dir (), "facet", "races", NULL);
}

static char *
group_of (FacetBackend *device, const FacetBackend *cpu, const char *shape)
{
  FacetDeviceFacts facts;
  g_autofree char *all = NULL;

  device->klass->facts (device, &facts);
  all = g_strjoin ("\n", facts.identity, cpu->description, shape, NULL);
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, all, -1);
}

gboolean
facet_race_recall (FacetBackend *device, const FacetBackend *cpu, const char *shape, FacetRacePhase phase, gboolean *cpu_wins)
{
  g_autofree char *path = race_path (), *group = group_of (device, cpu, shape), *winner = NULL;
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
    return FALSE;
  winner = g_key_file_get_string (file, group, phase_names[phase], NULL);
  *cpu_wins = g_strcmp0 (winner, "cpu") == 0;
  return *cpu_wins || g_strcmp0 (winner, "device") == 0;
}

/* Those that came first go first. */
static void
keep_few (GKeyFile *file)
{
  gsize n;
  g_auto (GStrv) groups = g_key_file_get_groups (file, &n);

  for (gsize i = 0; i + MAX_RACES < n; i++)
    g_key_file_remove_group (file, groups[i], NULL);
}

gboolean
facet_race_remember (FacetBackend *device, const FacetBackend *cpu, const char *shape, FacetRacePhase phase, double device_seconds,
                     double cpu_seconds)
{
  g_autofree char *path = race_path (), *folder = g_path_get_dirname (path), *group = group_of (device, cpu, shape);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  gboolean cpu_wins = cpu_seconds < device_seconds;

  g_info ("%s of %s: %.4f s on %s, %.4f s on %s", phase_names[phase], shape, device_seconds, device->description, cpu_seconds,
          cpu->description);
  /* One that is damaged is written anew. */
  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);
  g_key_file_set_string (file, group, phase_names[phase], cpu_wins ? "cpu" : "device");
  keep_few (file);
  if (g_mkdir_with_parents (folder, 0700) != 0 || !g_key_file_save_to_file (file, path, &error))
    g_info ("%s could not be written", path);
  return cpu_wins;
}

void
facet_stopwatch_start (FacetStopwatch *watch, double seconds, FacetCancel *user)
{
  *watch = (FacetStopwatch) { .user = user, .start = g_get_monotonic_time () };
  watch->end = seconds < G_MAXINT ? watch->start + (gint64) (seconds * 1e6) : G_MAXINT64;
}

void
facet_stopwatch_look (FacetStopwatch *watch)
{
  if (facet_is_cancelled (watch->user) || g_get_monotonic_time () > watch->end)
    facet_cancel (&watch->cancel);
}

double
facet_stopwatch_read (const FacetStopwatch *watch)
{
  return (double) (g_get_monotonic_time () - watch->start) * 1e-6;
}
