/* Screenshots through a portal that the test plays itself. */
#include <adwaita.h>
#include <string.h>

#include "composer/facet-composer-private.h"
#include "ui-fixture.h"
#include "widget-picture.h"

static const char portal_xml[] =
  "<node><interface name='org.freedesktop.portal.Screenshot'>"
  "<method name='Screenshot'><arg type='s' direction='in'/><arg type='a{sv}' direction='in'/>"
  "<arg type='o' direction='out'/></method><property name='version' type='u' access='read'/></interface></node>";

typedef struct {
  GDBusConnection *bus;
  char            *uri; /* NULL: the person says no */
} Portal;

static void
screenshot_cb (GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *method,
               GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  Portal *portal = data;
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 1);
  g_autofree char *name = g_strdelimit (g_strdup (sender + 1), ".", '_');
  g_autofree char *handle = NULL;
  const char *token = NULL;
  gboolean interactive = FALSE;
  GVariantBuilder results;

  g_assert_true (g_variant_lookup (options, "handle_token", "&s", &token));
  g_assert_true (g_variant_lookup (options, "interactive", "b", &interactive));
  g_assert_true (interactive);
  handle = g_strdup_printf ("/org/freedesktop/portal/desktop/request/%s/%s", name, token);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(o)", handle));
  g_variant_builder_init (&results, G_VARIANT_TYPE_VARDICT);
  if (portal->uri != NULL)
    g_variant_builder_add (&results, "{sv}", "uri", g_variant_new_string (portal->uri));
  g_dbus_connection_emit_signal (bus, sender, handle, "org.freedesktop.portal.Request", "Response",
                                 g_variant_new ("(ua{sv})", portal->uri != NULL ? 0 : 1, &results), NULL);
}

static GVariant *
version_cb (GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *property,
            GError **error, gpointer data)
{
  return g_variant_new_uint32 (2);
}

static void
portal_up (Portal *portal)
{
  static const GDBusInterfaceVTable vtable = { screenshot_cb, version_cb, NULL };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (portal_xml, NULL);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  portal->bus = g_dbus_connection_new_for_address_sync (g_getenv ("DBUS_SESSION_BUS_ADDRESS"),
                                                        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                          G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                        NULL, NULL, &error);
  g_assert_no_error (error);
  g_dbus_connection_register_object (portal->bus, "/org/freedesktop/portal/desktop", node->interfaces[0], &vtable,
                                     portal, NULL, &error);
  g_assert_no_error (error);
  reply = g_dbus_connection_call_sync (portal->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "RequestName",
                                       g_variant_new ("(su)", "org.freedesktop.portal.Desktop", 4), NULL,
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
}

static gboolean
can_shoot (Fixture *self)
{
  return gtk_widget_get_sensitive (self->window->composer->screenshot);
}

static void
reopen (Fixture *self)
{
  gtk_window_destroy (GTK_WINDOW (self->window));
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
  gtk_window_present (GTK_WINDOW (self->window));
}

static void
test_screenshot (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "Screenshot.png", NULL);
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, 32, 20);
  Portal portal = { 0 };

  settle (200);
  g_assert_false (can_shoot (self));
  g_assert_nonnull (strstr (gtk_widget_get_tooltip_text (self->window->composer->screenshot), "no screenshots"));

  gdk_pixbuf_fill (pixbuf, 0x3584e4ff);
  g_assert_true (gdk_pixbuf_save (pixbuf, path, "png", NULL, NULL));
  portal.uri = g_filename_to_uri (path, NULL, NULL);
  portal_up (&portal);
  reopen (self);
  fixture_wait (can_shoot, self);
  g_signal_emit_by_name (self->window->composer->screenshot, "clicked");
  g_assert_false (can_shoot (self));
  fixture_wait (can_shoot, self);
  fixture_wait (fixture_looked_at, self);
  g_assert_cmpstr (facet_attachment_get_name (fixture_attached (self, 0)), ==, "Screenshot.png");
  g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_READY);

  /* saying no attaches nothing, and can be thought over */
  g_clear_pointer (&portal.uri, g_free);
  g_signal_emit_by_name (self->window->composer->screenshot, "clicked");
  fixture_wait (can_shoot, self);
  g_assert_cmpuint (fixture_n_attached (self), ==, 1);
  g_dbus_connection_close_sync (portal.bus, NULL, NULL);
  g_object_unref (portal.bus);
}

int
main (int argc, char *argv[])
{
  static GTestDBus *bus; /* ends with this process */
  g_autofree char *display = g_strdup (g_getenv ("DISPLAY"));

  /* A session without a desktop in it. It forgets the display. */
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  g_setenv ("DISPLAY", display != NULL ? display : "", TRUE);
  if (!fixture_start (&argc, &argv))
    return 0;
  g_test_add ("/screenshot/portal", Fixture, NULL, fixture_set_up, test_screenshot, fixture_tear_down);
  return g_test_run ();
}
