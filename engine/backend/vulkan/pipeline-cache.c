/* What the driver made of the shaders is kept between starts: one file for
 * each device, driver and set of shaders in the user's cache folder, written
 * whole or not at all. Losing one costs a slower start. */
#include "backend/vulkan/vk.h"

#include <glib/gstdio.h>
#include <string.h>

#include "backend/vulkan/shaders.h"

#define MAX_BYTES ((gsize) 64 << 20)
#define MAX_FILES 8
/* Before the data: its SHA-256, so that a damaged file never reaches the driver. */
#define HEADER 64

static char *
cache_folder (void)
{
  return g_build_filename (g_get_user_cache_dir (), "facet", "vulkan", NULL);
}

char *
facet_vk_cache_file (const char *key, const char *suffix)
{
  g_autofree char *folder = cache_folder (), *name = g_strconcat (key, suffix, NULL);

  if (g_mkdir_with_parents (folder, 0700) != 0)
    g_info ("%s could not be made", folder);
  return g_build_filename (folder, name, NULL);
}

/* Of megabytes of code, hence once for all devices and every opening. */
static const char *
shaders_digest (void)
{
  static const char *digest;

  if (g_once_init_enter (&digest)) {
    g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

    for (guint i = 0; i < facet_n_shaders; i++)
      g_checksum_update (sum, (const guchar *) facet_shaders[i].code, (gssize) facet_shaders[i].bytes);
    g_once_init_leave (&digest, g_strdup (g_checksum_get_string (sum)));
  }
  return digest;
}

char *
facet_vk_cache_key (const FacetVkFunctions *f, VkPhysicalDevice physical)
{
  VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2 };
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  const VkPhysicalDeviceProperties *p = &properties.properties;

  f->GetPhysicalDeviceProperties2 (physical, &properties);
  g_checksum_update (sum, p->pipelineCacheUUID, VK_UUID_SIZE);
  g_checksum_update (sum, (const guchar *) &p->vendorID, sizeof p->vendorID);
  g_checksum_update (sum, (const guchar *) &p->deviceID, sizeof p->deviceID);
  g_checksum_update (sum, (const guchar *) &p->driverVersion, sizeof p->driverVersion);
  g_checksum_update (sum, (const guchar *) shaders_digest (), -1);
  return g_strdup (g_checksum_get_string (sum));
}

/* The file's data, or NULL if there is none that is whole. */
static char *
read_cache (FacetVk *vk, gsize *size)
{
  g_autofree char *path = facet_vk_cache_file (vk->cache_key, ".bin"), *bytes = NULL, *sum = NULL;
  GStatBuf info;

  if (g_stat (path, &info) != 0 || info.st_size <= HEADER || (guint64) info.st_size > MAX_BYTES
      || !g_file_get_contents (path, &bytes, size, NULL) || *size <= HEADER)
    return NULL;
  *size -= HEADER;
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes + HEADER, *size);
  if (memcmp (sum, bytes, HEADER) != 0)
    return NULL;
  return g_memdup2 (bytes + HEADER, *size);
}

gboolean
facet_vk_cache_open (FacetVk *vk, GError **error)
{
  g_autofree char *data = NULL;
  VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO };
  gsize size = 0;

  vk->cache_key = facet_vk_cache_key (&vk->instance.f, vk->physical);
  data = read_cache (vk, &size);
  info.initialDataSize = data != NULL ? size : 0;
  info.pInitialData = data;
  return facet_vk_check (vk->instance.f.CreatePipelineCache (vk->device, &info, NULL, &vk->cache), "pipeline cache", error);
}

/* Removes the files that were written longest ago, with the verdicts that belong to them. */
static void
keep_few (const char *folder)
{
  for (;;) {
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
    g_autofree char *oldest = NULL, *verdict = NULL;
    gint64 when = G_MAXINT64;
    const char *name;
    int n = 0;

    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      GStatBuf info;

      if (!g_str_has_suffix (name, ".bin") || g_stat (path, &info) != 0)
        continue;
      n++;
      if (info.st_mtime < when) {
        when = info.st_mtime;
        g_free (oldest);
        oldest = g_steal_pointer (&path);
      }
    }
    if (n <= MAX_FILES || g_unlink (oldest) != 0)
      return;
    verdict = g_strdup_printf ("%.*s.verdict", (int) (strlen (oldest) - strlen (".bin")), oldest);
    g_unlink (verdict);
  }
}

void
facet_vk_cache_save (FacetVk *vk)
{
  g_autofree char *folder = cache_folder (), *path = facet_vk_cache_file (vk->cache_key, ".bin"), *sum = NULL, *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize size = 0;

  if (!vk->cache_is_new || vk->lost
      || vk->instance.f.GetPipelineCacheData (vk->device, vk->cache, &size, NULL) != VK_SUCCESS || size == 0 || size > MAX_BYTES - HEADER)
    return;
  bytes = g_malloc (HEADER + size);
  if (vk->instance.f.GetPipelineCacheData (vk->device, vk->cache, &size, bytes + HEADER) != VK_SUCCESS)
    return;
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes + HEADER, size);
  memcpy (bytes, sum, HEADER);
  if (!g_file_set_contents (path, bytes, (gssize) (HEADER + size), &error))
    g_info ("the pipeline cache was not written: %s", error->message);
  else
    keep_few (folder);
  vk->cache_is_new = FALSE;
}
