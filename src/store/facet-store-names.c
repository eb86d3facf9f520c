#include "facet-store-private.h"

static const char *const roles[] = { "system", "user", "model" };
static const char *const statuses[] = { "running", "done", "stopped", "failed" };
static const char *const kinds[] = { "image", "audio", "text" };

static int
find (const char *const *names, gsize n, const char *name)
{
  for (gsize i = 0; name != NULL && i < n; i++) {
    if (g_str_equal (names[i], name))
      return i;
  }
  return -1;
}

const char *
facet_store_role_name (FacetStoreRole role)
{
  return (guint) role < G_N_ELEMENTS (roles) ? roles[role] : roles[FACET_STORE_ROLE_USER];
}

const char *
facet_store_status_name (FacetMessageStatus status)
{
  return (guint) status < G_N_ELEMENTS (statuses) ? statuses[status] : statuses[FACET_MESSAGE_STOPPED];
}

const char *
facet_store_kind_name (FacetAttachmentKind kind)
{
  return (guint) kind < G_N_ELEMENTS (kinds) ? kinds[kind] : kinds[FACET_ATTACHMENT_TEXT];
}

int
facet_store_role_from_name (const char *name)
{
  return find (roles, G_N_ELEMENTS (roles), name);
}

int
facet_store_status_from_name (const char *name)
{
  return find (statuses, G_N_ELEMENTS (statuses), name);
}

int
facet_store_kind_from_name (const char *name)
{
  return find (kinds, G_N_ELEMENTS (kinds), name);
}
