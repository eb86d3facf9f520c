#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-activity-log.h"
#include "facet-preferences-private.h"

/* More rows would make the window slow; the log itself holds more. */
#define MAX_ROWS 200

static const char *
icon_of (FacetActivityKind kind)
{
  switch (kind) {
  case FACET_ACTIVITY_NETWORK:
    return "network-transmit-receive-symbolic";
  case FACET_ACTIVITY_WRITE:
    return "document-save-symbolic";
  case FACET_ACTIVITY_RUN:
    return "system-run-symbolic";
  default:
    return "document-open-symbolic";
  }
}

static char *
describe (FacetActivity *activity)
{
  guint count = facet_activity_get_count (activity);
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_local (facet_activity_get_time (activity) / G_USEC_PER_SEC);
  g_autofree char *time = g_date_time_format (when, "%X");

  switch (facet_activity_get_kind (activity)) {
  case FACET_ACTIVITY_NETWORK:
    /* Translators: %s is a time of day. */
    return g_strdup_printf (ngettext ("Asked %u time, at %s", "Asked %u times, last at %s", count), count, time);
  case FACET_ACTIVITY_WRITE:
    return g_strdup_printf (ngettext ("Written %u time, at %s", "Written %u times, last at %s", count), count, time);
  case FACET_ACTIVITY_RUN:
    return g_strdup_printf (ngettext ("Run %u time, at %s", "Run %u times, last at %s", count), count, time);
  default:
    return g_strdup_printf (ngettext ("Read %u time, at %s", "Read %u times, last at %s", count), count, time);
  }
}

static GtkWidget *
new_row (FacetActivity *activity)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *facts = describe (activity);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), facet_activity_get_target (activity));
  adw_preferences_row_set_title_selectable (ADW_PREFERENCES_ROW (row), TRUE);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), facts);
  adw_action_row_set_icon_name (ADW_ACTION_ROW (row), icon_of (facet_activity_get_kind (activity)));
  return row;
}

static GtkWidget *
new_empty_row (gboolean network)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), network ? _("None") : _("None yet"));
  if (network)
    adw_action_row_set_icon_name (ADW_ACTION_ROW (row), "network-offline-symbolic");
  return row;
}

static void
refill (AdwPreferencesGroup *group)
{
  GListModel *log = G_LIST_MODEL (facet_activity_log_get_default ());
  GPtrArray *rows = g_object_get_data (G_OBJECT (group), "rows");
  gboolean network = g_object_get_data (G_OBJECT (group), "network") != NULL;

  for (guint i = 0; i < rows->len; i++)
    adw_preferences_group_remove (group, rows->pdata[i]);
  g_ptr_array_set_size (rows, 0);
  for (guint i = 0; i < g_list_model_get_n_items (log) && rows->len < MAX_ROWS; i++) {
    g_autoptr (FacetActivity) activity = g_list_model_get_item (log, i);

    if ((facet_activity_get_kind (activity) == FACET_ACTIVITY_NETWORK) == network)
      g_ptr_array_add (rows, new_row (activity));
  }
  if (rows->len == 0)
    g_ptr_array_add (rows, new_empty_row (network));
  for (guint i = 0; i < rows->len; i++)
    adw_preferences_group_add (group, rows->pdata[i]);
}

/* One refill for many entries that arrive together. */
static gboolean
refill_cb (gpointer data)
{
  AdwPreferencesGroup *group = data;

  g_object_set_data (G_OBJECT (group), "waiting", NULL);
  if (gtk_widget_get_parent (GTK_WIDGET (group)) != NULL)
    refill (group);
  return G_SOURCE_REMOVE;
}

static void
changed_cb (AdwPreferencesGroup *group)
{
  if (g_object_get_data (G_OBJECT (group), "waiting") != NULL)
    return;
  g_object_set_data (G_OBJECT (group), "waiting", group);
  g_timeout_add_full (G_PRIORITY_DEFAULT_IDLE, 200, refill_cb, g_object_ref (group), g_object_unref);
}

void
facet_activity_rows_fill (AdwPreferencesGroup *group, gboolean network)
{
  g_object_set_data_full (G_OBJECT (group), "rows", g_ptr_array_new (), (GDestroyNotify) g_ptr_array_unref);
  if (network)
    g_object_set_data (G_OBJECT (group), "network", group);
  g_signal_connect_object (facet_activity_log_get_default (), "items-changed", G_CALLBACK (changed_cb), group,
                           G_CONNECT_SWAPPED);
  refill (group);
}
