#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-preferences-private.h"

/* The row's data: "settings", "key", "direction" and, once they are known,
 * "ids" (a GPtrArray of strings, in the order of its list). */

static void
add_choice (GtkStringList *names, GPtrArray *ids, const char *name, const char *id)
{
  gtk_string_list_append (names, name);
  g_ptr_array_add (ids, g_strdup (id));
}

/* A device that is chosen but not there now stays in the list. */
static void
fill (AdwComboRow *row, GPtrArray *devices)
{
  GSettings *settings = g_object_get_data (G_OBJECT (row), "settings");
  g_autofree char *chosen = g_settings_get_string (settings, g_object_get_data (G_OBJECT (row), "key"));
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  guint position;

  add_choice (names, ids, C_("sound device", "Like the System"), "");
  for (guint i = 0; devices != NULL && i < devices->len; i++) {
    const FacetVoiceDevice *device = devices->pdata[i];

    add_choice (names, ids, device->name, device->id);
  }
  if (!g_ptr_array_find_with_equal_func (ids, chosen, g_str_equal, NULL))
    add_choice (names, ids, chosen, chosen);
  g_ptr_array_find_with_equal_func (ids, chosen, g_str_equal, &position);
  g_object_set_data (G_OBJECT (row), "ids", NULL);
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
  adw_combo_row_set_selected (row, position);
  g_object_set_data_full (G_OBJECT (row), "ids", ids, (GDestroyNotify) g_ptr_array_unref);
}

static void
selected_cb (AdwComboRow *row)
{
  GPtrArray *ids = g_object_get_data (G_OBJECT (row), "ids");
  guint position = adw_combo_row_get_selected (row);

  if (ids != NULL && position < ids->len)
    g_settings_set_string (g_object_get_data (G_OBJECT (row), "settings"), g_object_get_data (G_OBJECT (row), "key"),
                           ids->pdata[position]);
}

static void
look_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, facet_voice_devices (GPOINTER_TO_INT (data)), (GDestroyNotify) g_ptr_array_unref);
}

static void
looked_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (AdwComboRow) row = data;
  g_autoptr (GPtrArray) devices = g_task_propagate_pointer (G_TASK (result), NULL);

  fill (row, devices);
}

GtkWidget *
facet_device_row_new (GSettings *settings, const char *key, const char *title, FacetVoiceDirection direction)
{
  GtkWidget *row = adw_combo_row_new ();
  g_autoptr (GTask) task = g_task_new (NULL, NULL, looked_cb, g_object_ref (row));

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  g_object_set_data_full (G_OBJECT (row), "settings", g_object_ref (settings), g_object_unref);
  g_object_set_data (G_OBJECT (row), "key", (gpointer) key);
  fill (ADW_COMBO_ROW (row), NULL);
  g_signal_connect (row, "notify::selected", G_CALLBACK (selected_cb), NULL);
  g_task_set_task_data (task, GINT_TO_POINTER (direction), NULL);
  g_task_run_in_thread (task, look_thread);
  return row;
}
